/** Tables for a terminal: columns as wide as their widest cell, two blanks between, nothing cut off. */
import { type Paint, printable, type Tone } from './text.ts'

export interface Column {
  readonly title: string
  /** Figures stand right. */
  readonly right?: boolean
}

export type Cell = string | { readonly text: string; readonly tone: Tone | undefined }

/** The table with a heading, each line ended. Cells are made printable here. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], paint: Paint): string {
  const texts = rows.map((row) => columns.map((_, index) => printable(textOf(row[index] ?? ''))))
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...texts.map((row) => width(row[index] ?? ''))),
  )
  const pad = (text: string, index: number, tone: Tone | undefined) => {
    const blanks = ' '.repeat((widths[index] ?? 0) - width(text))
    const painted = paint(tone, text)
    if (columns[index]?.right) return blanks + painted
    return index === columns.length - 1 ? painted : painted + blanks
  }
  const heading = columns.map(({ title }, index) => pad(title, index, 'heading'))
  const lines = texts.map((row, r) => row.map((text, index) => pad(text, index, toneOf(rows[r]?.[index]))))
  return [heading, ...lines].map((cells) => `${cells.join('  ').trimEnd()}\n`).join('')
}

const textOf = (cell: Cell) => (typeof cell === 'string' ? cell : cell.text)
const toneOf = (cell: Cell | undefined) => (typeof cell === 'object' ? cell.tone : undefined)

/** Cells that a terminal needs: a letter with its accents is one, an ideograph or emoji two. */
function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let cells = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) cells += wide.test(segment) ? 2 : 1
  return cells
}

const wide = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]|\p{Emoji_Presentation}/u
