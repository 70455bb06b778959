export async function test(args: string[]): Promise<number> {
  return args.length
}
