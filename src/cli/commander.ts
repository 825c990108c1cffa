/** The only importer of commander, but for its types. */
import { require } from '../package.js'

export const { Argument, Command, InvalidArgumentError, Option }: typeof import('commander') =
  require('commander')
