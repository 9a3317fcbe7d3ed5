/** The parts of docs/operating.md that a machine can read: its tables and its blocks of code, by the heading above them. */
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')

/** The text under a `## heading`, up to the next one. Throws when there is none. */
function section(heading: string): string {
  const found = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (found === undefined) throw new Error(`docs/operating.md has no heading "${heading}"`)
  return found
}

/** The one block of a language under a heading that holds `word`. */
export function codeUnder(heading: string, language: string, word: string): string {
  const blocks = [...section(heading).matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
  const found = blocks.filter(([, of, code = '']) => of === language && code.includes(word))
  if (found.length !== 1) throw new Error(`"${heading}" has ${found.length} blocks of ${language} with "${word}"`)
  return found[0]?.[2] ?? ''
}

/** Cells of the table under a heading, without its head; backquotes taken off. */
export function tableUnder(heading: string): string[][] {
  const rows = section(heading)
    .split('\n')
    .filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}
