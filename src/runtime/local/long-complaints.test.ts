/** A volume of which copying complains of each file, at length. It needs root. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { GiB } from '../../lib/bytes.ts'
import { removeTree } from '../../lib/remove-tree.ts'
import { runProgram } from '../../lib/run-program.ts'
import { copyVolume } from './volume-disk.ts'

/** As long as a path may be. */
const LONGEST = 4095
/** cp writes each byte of their names in four letters, 16 KB a file: 80 MB. */
const FILES = 5000
const MAKES = `my ($at, $longest, $files) = @ARGV;
chdir $at or die $!;
my $left = $longest - length $at;
while ($left > 256) {
  my $name = "\\xff" x ($left % 256 < 50 ? 155 : 255);
  mkdir $name or die $!;
  chdir $name or die $!;
  $left -= 1 + length $name;
}
for (1 .. $files) {
  my $name = sprintf("%05d", $_);
  open my $file, ">", $name . "\\xff" x ($left - 1 - length $name) or die $!;
}`

test('a build whose paths are too long has that told, whatever it calls its files', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-complaints-'))
  t.after(() => removeTree(directory))
  const content = join(directory, 'content')
  mkdirSync(content)
  await runProgram(['perl', '-e', MAKES, content, String(LONGEST), String(FILES)])
  // A little longer: its directories have room, and no file.
  const to = join(directory, 'slug-of-the-build')
  const most = { bytes: GiB, files: 2 * FILES }
  await assert.rejects(copyVolume(directory, { to, most }), { code: 'path_too_long' })
})
