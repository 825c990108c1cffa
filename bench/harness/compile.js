/** Compiles the C programs of c/ into build/. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { BUILD, C_SOURCES } from './paths.js'

const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror']

export function compile() {
  mkdirSync(BUILD, { recursive: true })
  for (const program of ['sender', 'receiver', 'pinger', 'echo', 'filter']) {
    cc([`${C_SOURCES}${program}.c`, `${C_SOURCES}channel.c`], program)
  }
  for (const program of ['sender', 'receiver']) {
    cc(['-DOWNED', `${C_SOURCES}${program}.c`, `${C_SOURCES}channel.c`], `${program}-owned`)
  }
  cc([`${C_SOURCES}queue.c`], 'queue')
}

/** @param {string[]} inputs @param {string} program */
function cc(inputs, program) {
  // -lrt: where glibc is older than 2.34 the mq_ functions live there.
  execFileSync('cc', [...FLAGS, '-o', `${BUILD}${program}`, ...inputs, '-lrt'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}
