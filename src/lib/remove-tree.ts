import { runProgram } from './run-program.ts'

/**
 * Removes files, and directories with all below them, those too that lie deeper than a path may be long (4,096
 * bytes): who makes directories one in another comes there, and Node's `rm` fails with ENAMETOOLONG. What is
 * not there is no error.
 */
export async function removeTree(...paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await runProgram(['rm', '--recursive', '--force', '--', ...paths])
}
