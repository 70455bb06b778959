/** One line of the performance specification: what was measured, against what bar. */
export interface Figure {
  /** `P4`. */
  readonly id: string
  readonly what: string
  readonly measured: string
  readonly bar: string
  /** Undefined where the peer to compare with is not installed. */
  readonly met: boolean | undefined
}

/** The value below which the share `p` of the samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((it) => [it.id, it.what, it.measured, it.bar, verdict(it)])
  const head = ['', 'figure', 'measured', 'bar', '']
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  )
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .join('\n')
}

function verdict({ met }: Figure): string {
  if (met === undefined) return 'no peer here'
  return met ? 'reached' : 'MISSED'
}
