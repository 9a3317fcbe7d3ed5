/** Runs one statement; those with parameters are prepared once per connection. */
import type pg from 'pg'
import type { Row } from './types.ts'

/** Our statements are a fixed set of texts, so each gets a short name for good. */
const names = new Map<string, string>()

export async function run<R extends Row>(
  client: pg.Pool | pg.ClientBase,
  text: string,
  values?: readonly unknown[],
): Promise<R[]> {
  if (!values) return (await client.query<R>(text)).rows
  const name = names.get(text) ?? `s${names.size}`
  names.set(text, name)
  return (await client.query<R>({ name, text, values: values as unknown[] })).rows
}
