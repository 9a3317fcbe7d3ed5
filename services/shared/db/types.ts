/** What a store works with: rows, statements, transactions. */

export type Row = Record<string, unknown>

/** What a store function runs its SQL on: the pool, or one transaction. */
export interface Sql {
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>
  /** Wakes who listens to `channel`, here and at other replicas, once the surrounding transaction has committed. */
  hint(channel: string): void
}

/** Statements are sent as they are made, without waiting for the answer to those before, and are run in that order. */
export interface Transaction extends Sql {
  /** For a statement whose answer nobody needs before the commit: it stands or falls with the transaction. */
  sent(statement: Promise<unknown>): void
}

export interface Database extends Sql {
  /** Runs `work` in one transaction; any throw, also of what was `sent`, rolls it back and is thrown on. */
  transaction<T>(work: (sql: Transaction) => Promise<T>): Promise<T>
  /** Calls `wake` after a hint on `channel`, and after every reconnect; only ever a reason to look earlier. */
  listen(channel: string, wake: () => void): () => Promise<void>
  /** A connection outside the pool that is held until closed; `lost` is called once when it breaks. */
  session(lost: (error: Error) => void): Promise<Session>
  close(): Promise<void>
}

export interface Session extends Pick<Sql, 'query'> {
  close(): Promise<void>
}
