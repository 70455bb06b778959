import { readFileSync } from 'node:fs'

/** Where something is mounted, as this process sees it: paths without links. */
export function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  return lines.flatMap((it) => {
    const point = it.split(' ')[4]
    return point === undefined ? [] : [plain(point)]
  })
}

/** As proc(5) has it, blanks and backslashes are octal numbers; of bytes, but none above ASCII. */
const plain = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 8)),
  )
