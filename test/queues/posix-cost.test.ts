/** What a POSIX queue costs: arguments. The figure itself is held against the kernel elsewhere. */
import { posixCost } from 'kernelmq'
import { test } from 'tap'

test('posixCost names an argument that is not a count', (t) => {
  const wrong = { code: 'ERR_INVALID_ARG_TYPE', message: /maxMessageSize/ }
  t.throws(() => posixCost(1, '1' as never), wrong)
  t.throws(() => posixCost(-1, 1), { code: 'ERR_OUT_OF_RANGE', message: /maxMessages/ })
  t.end()
})
