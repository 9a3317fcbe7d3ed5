/** Rules that imports do not show: time, randomness and SQL have one door each. Read from the text of the sources. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Finding {
  readonly rule: string
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly what: string
}

interface SourceRule {
  readonly name: string
  readonly pattern: RegExp
  readonly except: RegExp
}

const wallClock = [
  'Date\\.now',
  'new Date\\(\\s*\\)',
  '(?:set|clear)(?:Timeout|Interval|Immediate)\\b',
  'Math\\.random',
  'randomUUID',
  'performance\\.now',
  'AbortSignal\\.timeout',
  'timers/promises',
]
const statements = [
  'select\\b.*\\bfrom\\b',
  'insert\\s+into\\b',
  'update\\b.*\\bset\\b',
  'delete\\s+from\\b',
  'with\\s+\\w+\\s+as\\s*\\(',
]

const rules: readonly SourceRule[] = [
  {
    name: 'no-wall-clock',
    pattern: new RegExp(`\\b(?:${wallClock.join('|')})`),
    // The last gives pipes a method of that name, as sockets have; it starts no timer.
    except: /^services\/(shared\/(clock|random|ids)|tunnel\/as-socket)\.ts$/,
  },
  {
    name: 'sql-in-store',
    pattern: new RegExp(`['"\`]\\s*(?:${statements.join('|')})`, 'i'),
    except: /(\/store\.ts|^services\/shared\/db\/.*)$/,
  },
]

/** What breaks a rule in these files, whose paths are relative to `base`. Comments do not count. */
export function checkSources(base: string, files: readonly string[]): Finding[] {
  return files
    .filter((file) => file.startsWith('services/'))
    .flatMap((file) => {
      const lines = withoutComments(readFileSync(join(base, file), 'utf8')).split('\n')
      return rules
        .filter((rule) => !rule.except.test(file))
        .flatMap((rule) =>
          lines.flatMap((text, index) => {
            const match = rule.pattern.exec(text)
            return match ? [{ rule: rule.name, file, line: index + 1, what: match[0] }] : []
          }),
        )
    })
}

/** Blanks comments, keeps the lines. A line comment begins after a blank, so that `https://` stays. */
export function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1')
}
