/** The names of the broker's settings, as its configuration lists them. */
import { readFileSync } from 'node:fs'

export function settingNames(): string[] {
  const source = readFileSync(new URL('../../services/shared/config.ts', import.meta.url), 'utf8')
  const names = [...source.matchAll(/^ {2}([A-Z_]+): (?:Type\.|Words\()/gm)].map((match) => match[1] ?? '')
  if (!names.includes('DATABASE_URL') || !names.includes('PORT'))
    throw new Error('services/shared/config.ts no longer lists its settings one a line')
  return names
}
