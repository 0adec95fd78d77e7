#!/usr/bin/env node
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { WriteStream } from 'node:tty'
import { printable } from '../text/printable.ts'
import { eds } from './eds.ts'
import type { Output } from './io.ts'

const WIDTH = 100

/** https://no-color.org */
const output = (stream: NodeJS.WriteStream | WriteStream): Output => ({
  write: text => stream.write(text),
  isTerminal: stream.isTTY === true,
  color: stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  width: stream.columns ?? WIDTH,
})

// A reader such as head may close the pipe early.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', error => {
    if ('code' in error && error.code === 'EPIPE') process.exit()
    fail(`cannot write the output: ${error.message}`)
  })
process.on('uncaughtException', error => fail(`internal error, please report it: ${error}`))

function fail(problem: string): never {
  writeSync(process.stderr.fd, `eds: ${printable(problem)}\n`)
  process.exit(2)
}

process.exitCode = await eds(process.argv.slice(2), {
  stdin: { chunks: process.stdin, isTerminal: process.stdin.isTTY === true },
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  clock: { now: Date.now, delay },
})
