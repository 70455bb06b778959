/**
 * Which declarations a program can get to, by their names alone: a name that is written is taken as
 * used. So it never says too little, and sometimes a little too much.
 *
 * It reads text as prettier leaves it: what stands at the beginning of a line, and is no closing
 * bracket, begins a declaration.
 */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A file, and what is declared there under that name. */
type Place = readonly [string, string]

interface Module {
  /** By name; all that runs on import stands under ''. */
  readonly declarations: ReadonlyMap<string, string>
  /** By the name that it has here. */
  readonly imports: ReadonlyMap<string, Place>
}

/** A whole module, where it is imported as one. */
const ALL = '*'

/** The text of all that `entry`, a file, can run, declaration by declaration, without comments. */
export function reachableDeclarations(entry: string): string[] {
  const modules = new Map<string, Module>()
  const seen = new Set<string>()
  const texts: string[] = []
  const open: Place[] = [[entry, '']]
  for (let at = open.pop(); at; at = open.pop()) {
    const key = at.join(' ')
    if (seen.has(key)) continue
    seen.add(key)
    const [file, name] = at
    const module = modules.get(file) ?? readModule(file)
    if (!modules.has(file)) open.push([file, ''])
    modules.set(file, module)
    const text = module.declarations.get(name)
    if (text !== undefined) texts.push(text)
    open.push(...namedBy(at, module, text))
  }
  return texts
}

/** `text`: of the declaration that is there, if that is where it stands. */
function namedBy([file, name]: Place, module: Module, text: string | undefined): Place[] {
  const { declarations, imports } = module
  if (name === ALL) return [...declarations.keys()].map((it) => [file, it])
  const words = text?.match(/[A-Za-z_$][\w$]*/g) ?? [name]
  return words.flatMap((word): Place[] => {
    const imported = imports.get(word)
    if (imported) return [imported]
    return declarations.has(word) ? [[file, word]] : []
  })
}

function readModule(file: string): Module {
  const text = readFileSync(file, 'utf8').replaceAll(COMMENT, '')
  const imports = new Map<string, Place>()
  for (const [, names = '', from = ''] of text.matchAll(IMPORT)) {
    const there = join(dirname(file), from)
    for (const it of names.replaceAll(/[{}]/g, '').split(',')) {
      const [name = '', here = name] = it.trim().split(' as ')
      if (name && !name.startsWith('type ')) imports.set(here, [there, name])
    }
  }
  const declarations = new Map<string, string>()
  for (const part of text.replaceAll(ANY_IMPORT, '').split(BEGINNING)) {
    const name = DECLARATION.exec(part)?.[1] ?? ''
    declarations.set(name, `${declarations.get(name) ?? ''}${part}`)
  }
  return { declarations, imports }
}

const COMMENT = /^\s*(?:\/\/.*|\/\*[^]*?\*\/)$/gm
const IMPORT = /^(?:import|export) (\{[^}]*\}|\* as \w+) from '(\.[^']+)'/gm
const ANY_IMPORT =
  /^(?:import|export) (?:type )?(?:\{[^}]*\}|[\w*]+(?: as \w+)?) from '[^']+'$/gm
const BEGINNING = /^(?=[^\s)}\]`])/m
const DECLARATION =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) ([\w$]+)/
