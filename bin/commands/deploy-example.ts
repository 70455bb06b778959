import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'

/** Deploys examples/hello-node as `hello-node`, once in an installation's life. */
export async function deployExample(
  data: DataDirectory,
  installation: Installation,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  void [data, installation, say, signal]
}
