/** What the mirror writes on a copy beside what it says: where it is from. */

/** The uid of the namespace and that of the object that this is a copy of: only what has it was made by the mirror. */
export const sourceAnnotation = 'gemeentecloud.nl/mirrored-from'

export interface Source {
  readonly namespaceUid: string
  readonly uid: string
}

export const sourceText = ({ namespaceUid, uid }: Source) => `${namespaceUid}/${uid}`

/** Undefined for what the mirror did not make. */
export function sourceOf(annotations: Readonly<Record<string, string>> | undefined): Source | undefined {
  const [namespaceUid, uid, ...more] = (annotations?.[sourceAnnotation] ?? '').split('/')
  return namespaceUid && uid && more.length === 0 ? { namespaceUid, uid } : undefined
}
