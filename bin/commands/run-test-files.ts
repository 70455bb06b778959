/**
 * Runs test files in the order in which they are named: `node --test` sorts them. A program of
 * its own, so that it can be ended together with all that it started.
 */

import { createWriteStream } from 'node:fs'
import { run } from 'node:test'
import { spec, tap } from 'node:test/reporters'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: {
    'at-once': { type: 'string', default: '1' },
    /** Milliseconds that a test may take. */
    longest: { type: 'string', default: '0' },
    /** A file for the numbers. */
    summary: { type: 'string', default: '/dev/null' },
    /** NODE_OPTIONS of the files. */
    'node-options': { type: 'string', default: '' },
  },
  allowPositionals: true,
})
process.env['NODE_OPTIONS'] = values['node-options']

const tests = run({
  files: positionals,
  concurrency: Number(values['at-once']),
  timeout: Number(values.longest),
})
tests.on('test:summary', ({ file, success }) => {
  // Those with a file are of one alone.
  if (file === undefined && !success) process.exitCode = 1
})
tests.compose(new spec()).pipe(process.stdout)
tests.compose(tap).pipe(createWriteStream(values.summary))
