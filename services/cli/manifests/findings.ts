/** What a reader of manifests has to say beside the demand: errors that refuse them all, notes about what was counted how. */
export interface Findings {
  readonly errors: string[]
  readonly notes: string[]
}
