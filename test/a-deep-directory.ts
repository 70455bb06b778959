import { runProgram } from '../src/lib/run-program.ts'

const MAKES = `mkdir -p -- "$1" && cd -- "$1" && exec perl -e '
for (1 .. 40) { mkdir "d" x 200 or die $!; chdir "d" x 200 or die $! }'`

/** Makes it at `path`, absolute, with so many in it, one in another, that no path names the last: 8,000 letters. */
export async function makeDeepDirectory(path: string): Promise<void> {
  await runProgram(['sh', '-c', MAKES, 'sh', path])
}
