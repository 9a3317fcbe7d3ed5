/** In which form an answer is wanted: what the gateway makes itself is JSON, as the objects, a Table or their metadata. */
import { refusal } from './status.ts'

export type Form = 'object' | 'table' | 'metadata'

export interface Wanted {
  readonly form: Form
  /** To ask members for the same: of what the client takes, only what can be put together. */
  readonly accept: string
}

/** Throws 406 when the client takes no JSON. */
export function wantedForm(header: string | undefined): Wanted {
  const ranges = (header ?? '').split(',').map(rangeOf)
  for (const { type, parameters } of ranges) {
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*' && type !== '') continue
    const as = parameters.get('as')
    if (as === undefined) return { form: 'object', accept: 'application/json' }
    if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') continue
    if (as === 'Table') return { form: 'table', accept: acceptOf('Table') }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { form: 'metadata', accept: acceptOf(as) }
  }
  throw refusal(406, 'the gateway answers in application/json; none of the accepted media types is that')
}

/** Whether discovery is wanted as one document. */
export function wantsAggregated(header: string | undefined): boolean {
  return (header ?? '').split(',').some((text) => {
    const { type, parameters } = rangeOf(text)
    return (
      type === 'application/json' &&
      parameters.get('as') === 'APIGroupDiscoveryList' &&
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      parameters.get('v') === 'v2'
    )
  })
}

const acceptOf = (as: string) => `application/json;as=${as};v=v1;g=meta.k8s.io`

function rangeOf(text: string): { type: string; parameters: ReadonlyMap<string, string> } {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim())
  const pairs = rest.map((part) => {
    const at = part.indexOf('=')
    return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()] as const
  })
  return { type: type.toLowerCase(), parameters: new Map(pairs) }
}
