/** What is said to a caller, in each of the languages that we speak. Pure. */

export interface Said {
  readonly en: string
  readonly nl: string
}

export const said = (en: string, nl: string): Said => ({ en, nl })
