/** A document to be followed: its commands in order, and whether what they print is what the document shows. */

export interface Step {
  readonly command: string
  /** The block of text below the command; undefined when nothing is shown. */
  readonly shown: string | undefined
  readonly exitCode: number
}

export interface Chapter {
  readonly title: string
  readonly steps: readonly Step[]
}

const fence = /^```(\w+)(?: exit (\d+))?\n([\s\S]*?)^```$/gm

/** The chapters that have commands (blocks of `sh`); the block of `text` after one is what it prints. */
export function readGuide(markdown: string): Chapter[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((part) => ({ title: part.slice(0, part.indexOf('\n')), steps: stepsOf(part) }))
    .filter(({ steps }) => steps.length > 0)
}

function stepsOf(part: string): Step[] {
  const steps: Step[] = []
  for (const [, language, exitCode, content = ''] of part.matchAll(fence)) {
    const last = steps.at(-1)
    if (language === 'sh') steps.push({ command: content.trim(), shown: undefined, exitCode: 0 })
    else if (language !== 'text' || !last || last.shown !== undefined)
      throw new Error(`a block of ${language} belongs to no command:\n${content}`)
    else steps[steps.length - 1] = { ...last, shown: content, exitCode: Number(exitCode ?? 0) }
  }
  return steps
}

/** What differs from one run to the next, by the same word on both sides. */
const alike: readonly [RegExp, string][] = [
  [/\b([a-z]{2,3})_[0-9a-z]{26}\b/g, '$1_ID'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT'],
  [/127\.0\.0\.1:\d+/g, 'ADDRESS'],
  [/\b\d+(\.\d+)? (s|min)\b/g, 'AGE'],
  [/ (\d+m)?\d+s$/gm, ' AGE'],
  [/[ \t]+/g, ' '],
  [/ $/gm, ''],
]

const plain = (text: string) =>
  alike.reduce((left, [pattern, word]) => left.replaceAll(pattern, word), text).replace(/^\n+|\n+$/g, '')

const literal = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Undefined when `printed` is as shown: `…` is anything within a line, and alone on a line any number of lines. */
export function differs(shown: string, printed: string): string | undefined {
  const patterns = plain(shown)
    .split('\n')
    .map((line) => (line === '…' ? undefined : line.split('…').map(literal).join('.*')))
  const whole = patterns.map((pattern) => (pattern === undefined ? '(?:.*\\n)*?' : `${pattern}\\n`)).join('')
  if (new RegExp(`^${whole}$`).test(`${plain(printed)}\n`)) return undefined
  const missing = patterns.filter((line) => line !== undefined && !new RegExp(`^${line}$`, 'm').test(plain(printed)))
  return `not printed: ${missing.join(' | ') || 'all is there, in another order or with more between'}\nprinted:\n${printed}`
}
