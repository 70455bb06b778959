import { open, readFile, rename, writeFile } from 'node:fs/promises'

/**
 * Ensures that the file holds the text, and stays the file that it is: others have it mounted. It is not
 * emptied before: on a full disk, what is there is overwritten or stays as it was. Whoever reads
 * it meanwhile finds the new text, and blank lines after it where the old one was longer.
 */
export async function writeInPlace(file: string, text: string): Promise<void> {
  const before = await readFile(file).catch(notThere)
  if (!before) {
    await writeFile(`${file}.new`, text)
    return rename(`${file}.new`, file)
  }
  const bytes = Buffer.from(text)
  if (before.equals(bytes)) return
  const rest = Buffer.alloc(Math.max(0, before.length - bytes.length), '\n')
  const it = await open(file, 'r+')
  try {
    const whole = Buffer.concat([bytes, rest])
    const { bytesWritten } = await it.write(whole, 0, whole.length, 0)
    if (bytesWritten < whole.length) throw new Error(`${file} was not written wholly`)
    await it.truncate(bytes.length)
  } finally {
    await it.close()
  }
}

function notThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
