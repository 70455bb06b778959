/** A client's terminal, as large as its variables say, or as terminals used to be. */

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

const USUAL: TerminalSize = { columns: 80, rows: 24 }

export function terminalSize(
  environment: Readonly<Record<string, string>>,
): TerminalSize {
  return {
    columns: lengthIn(environment['COLUMNS']) ?? USUAL.columns,
    rows: lengthIn(environment['LINES']) ?? USUAL.rows,
  }
}

function lengthIn(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined
}
