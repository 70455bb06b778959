/** What may make dynos' containers: OCI runtimes by the names of their programs. */
export const OCI_RUNTIMES = ['crun', 'runc', 'runsc', 'krun'] as const

export type OciRuntimeName = (typeof OCI_RUNTIMES)[number]

export function isOciRuntime(name: unknown): name is OciRuntimeName {
  return OCI_RUNTIMES.some((it) => it === name)
}
