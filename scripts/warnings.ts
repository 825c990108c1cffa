/** The compiler as the linter of the addon: a build of its own in which every warning is an error. */
import { buildInstrumented } from './instrument.js'

buildInstrumented('warnings')
console.log('The addon compiles without a warning.')
