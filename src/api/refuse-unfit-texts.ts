/**
 * No text of a body has the character U+0000, or half a character (a lone surrogate, which JSON
 * can write as `"\ud800"`): PostgreSQL keeps neither in JSON, nor the first one anywhere; and no
 * variable or argument of a process has them. Asked here, once, so that nobody further in need.
 */

import { Problem } from '../model/problem.ts'

export const UNFIT_TEXT =
  'A text may not have the character U+0000, or half a character (a lone surrogate).'

/** Neither can stand in JSON but as an escape. Most bodies have none of these, and are not looked through. */
const ESCAPE = /\\u(?:0000|d[89a-f])/i

/** `json`: what `text` says. A Problem `invalid_params` for such a text, be it a name or a value. */
export function refuseUnfitTexts(text: string, json: unknown): void {
  if (ESCAPE.test(text) && hasUnfitText(json)) {
    throw new Problem('invalid_params', UNFIT_TEXT)
  }
}

/** Without recursion: a megabyte of brackets nests deeper than the stack. */
function hasUnfitText(json: unknown): boolean {
  const left = [json]
  while (left.length > 0) {
    const it = left.pop()
    if (typeof it === 'string') {
      if (it.includes('\0') || !it.isWellFormed()) return true
    } else if (typeof it === 'object' && it !== null) {
      for (const [name, value] of Object.entries(it)) left.push(name, value)
    }
  }
  return false
}
