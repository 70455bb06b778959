import type {
  DataDirectory,
  Installation,
} from '../../src/installation/data-directory.ts'

/** Makes the root file systems that dynos run on, or takes ready ones from MAYFLY_STACKS. */
export async function prepareStacks(
  data: DataDirectory,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  void [data, say, signal]
}

/** Ends every dyno of the installation and takes all that held it off the machine. */
export async function removeDynos(
  data: DataDirectory,
  installation: Installation,
): Promise<void> {
  void [data, installation]
}
