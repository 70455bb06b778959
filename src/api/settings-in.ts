/** What the text of `api.json` has; nothing where that is no object. */
export function settingsIn(text: string): { readonly [name: string]: unknown } {
  try {
    const settings: unknown = JSON.parse(text)
    return typeof settings === 'object' && settings !== null ? { ...settings } : {}
  } catch {
    return {}
  }
}
