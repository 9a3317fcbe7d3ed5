/**
 * The one registry of what can go wrong for a caller (RFC 9457). The code is the last segment of `type`; it never changes
 * its meaning. The registry also makes docs/problems.md and the responses in the OpenAPI document.
 */
import type { Said } from './said.ts'

interface ProblemType {
  readonly status: number
  readonly title: { readonly en: string; readonly nl: string }
  /** What the caller can do now. */
  readonly action: { readonly en: string; readonly nl: string }
}

export const problems = {
  'malformed-request': {
    status: 400,
    title: { en: 'The request could not be read', nl: 'Het verzoek is niet te lezen' },
    action: { en: 'Mend what the detail names and send again.', nl: 'Herstel wat er staat en probeer opnieuw.' },
  },
  'invalid-fields': {
    status: 400,
    title: { en: 'Some fields are not valid', nl: 'Sommige velden zijn niet geldig' },
    action: {
      en: 'See `errors`: each names a field by JSON Pointer.',
      nl: 'Zie `errors`: elk noemt een veld als JSON Pointer.',
    },
  },
  'path-not-canonical': {
    status: 400,
    title: { en: 'The path is not in canonical form', nl: 'Het pad is niet canoniek' },
    action: {
      en: 'No percent escapes, dots, double or trailing slashes in the path.',
      nl: 'Geen procenttekens, punten, dubbele of afsluitende schuine strepen in het pad.',
    },
  },
  'idempotency-key-missing': {
    status: 400,
    title: { en: 'An Idempotency-Key header is needed', nl: 'Een Idempotency-Key-header is nodig' },
    action: {
      en: 'Send a new random key with each new intention, the same key with a retry.',
      nl: 'Stuur een nieuwe sleutel bij elke nieuwe opdracht en dezelfde bij een herhaling.',
    },
  },
  'kubeconfig-refused': {
    status: 400,
    title: { en: 'The kubeconfig is not accepted', nl: 'De kubeconfig is niet geaccepteerd' },
    action: {
      en: 'Give server, inline CA and a token or client certificate; see `errors`.',
      nl: 'Geef server, CA en een token of clientcertificaat mee; zie `errors`.',
    },
  },
  unauthenticated: {
    status: 401,
    title: { en: 'No valid credential', nl: 'Geen geldig toegangsbewijs' },
    action: { en: 'Send `Authorization: Bearer <token>`.', nl: 'Stuur `Authorization: Bearer <token>`.' },
  },
  forbidden: {
    status: 403,
    title: { en: 'Not allowed', nl: 'Niet toegestaan' },
    action: { en: 'Ask a party with the role that the detail names.', nl: 'Vraag een partij met de genoemde rol.' },
  },
  'not-found': {
    status: 404,
    title: { en: 'Not found', nl: 'Niet gevonden' },
    action: { en: 'Check the id, or list what there is.', nl: 'Controleer de id of vraag de lijst op.' },
  },
  'method-not-allowed': {
    status: 405,
    title: { en: 'This method is not served here', nl: 'Deze methode bestaat hier niet' },
    action: { en: 'See /api/v1/openapi.json.', nl: 'Zie /api/v1/openapi.json.' },
  },
  'not-acceptable': {
    status: 406,
    title: { en: 'None of the accepted media types can be given', nl: 'Geen van de gevraagde vormen is leverbaar' },
    action: { en: 'Accept application/json.', nl: 'Vraag application/json.' },
  },
  'request-timeout': {
    status: 408,
    title: { en: 'The request did not arrive in time', nl: 'Het verzoek kwam niet op tijd binnen' },
    action: {
      en: 'Send again, over a connection that is fast enough.',
      nl: 'Stuur opnieuw, over een snellere verbinding.',
    },
  },
  'already-exists': {
    status: 409,
    title: { en: 'This name is taken', nl: 'Deze naam is bezet' },
    action: { en: 'Choose another name.', nl: 'Kies een andere naam.' },
  },
  'state-conflict': {
    status: 409,
    title: { en: 'Not possible in its present state', nl: 'Kan niet in de huidige toestand' },
    action: { en: 'Read the resource again and see its state.', nl: 'Lees de actuele toestand.' },
  },
  'limit-reached': {
    status: 409,
    title: { en: 'No more of these', nl: 'Het maximum is bereikt' },
    action: {
      en: 'End some that are no longer needed, or ask the desk for a higher ceiling.',
      nl: 'Beëindig wat niet meer nodig is, of vraag het loket om een hoger maximum.',
    },
  },
  'idempotency-conflict': {
    status: 409,
    title: { en: 'This Idempotency-Key was used for another request', nl: 'Deze sleutel hoort bij een ander verzoek' },
    action: { en: 'Use a new key.', nl: 'Gebruik een nieuwe sleutel.' },
  },
  'version-conflict': {
    status: 412,
    title: { en: 'Changed by somebody else', nl: 'Door een ander gewijzigd' },
    action: { en: 'Read again, then send the new ETag in If-Match.', nl: 'Lees opnieuw en stuur de nieuwe ETag mee.' },
  },
  'too-large': {
    status: 413,
    title: { en: 'The request is too large', nl: 'Het verzoek is te groot' },
    action: { en: 'Send at most 1 MiB.', nl: 'Stuur ten hoogste 1 MiB.' },
  },
  'wrong-media-type': {
    status: 415,
    title: { en: 'This media type is not read here', nl: 'Deze vorm wordt hier niet gelezen' },
    action: { en: 'Send `Content-Type: application/json`.', nl: 'Stuur `Content-Type: application/json`.' },
  },
  'too-many-requests': {
    status: 429,
    title: { en: 'Too many requests', nl: 'Te veel verzoeken' },
    action: { en: 'Wait as long as Retry-After says.', nl: 'Wacht zo lang als Retry-After zegt.' },
  },
  'headers-too-large': {
    status: 431,
    title: { en: 'The headers are too large', nl: 'De headers zijn te groot' },
    action: { en: 'Send at most 16 KiB of headers.', nl: 'Stuur ten hoogste 16 KiB aan headers.' },
  },
  internal: {
    status: 500,
    title: { en: 'Our mistake', nl: 'Onze fout' },
    action: {
      en: 'Retry with the same Idempotency-Key; report the request id.',
      nl: 'Probeer opnieuw en meld de request-id.',
    },
  },
  'in-doubt': {
    status: 503,
    title: { en: 'The store was restored and does not know', nl: 'De opslag is teruggezet en weet het nog niet' },
    action: {
      en: 'Keep to what you knew, and ask again as Retry-After says.',
      nl: 'Houd aan wat u wist, en vraag het later opnieuw.',
    },
  },
  overloaded: {
    status: 503,
    title: { en: 'Too busy just now', nl: 'Op dit moment te druk' },
    action: {
      en: 'Retry as Retry-After says; nothing was changed.',
      nl: 'Probeer later opnieuw; er is niets gewijzigd.',
    },
  },
} as const satisfies Record<string, ProblemType>

export type ProblemCode = keyof typeof problems

/** A field that was refused: RFC 6901 pointer into the body, or `/query/<name>`, `/headers/<name>`. */
export interface FieldError {
  readonly pointer: string
  readonly message: string
}

/** Thrown by services for an outcome that the caller must hear about; everything else that is thrown is a bug (500). */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly errors: readonly FieldError[] | undefined
  /** In each language, where it is said in more than English. */
  readonly said: Said | undefined

  constructor(code: ProblemCode, detail: string | Said, errors?: readonly FieldError[]) {
    super(typeof detail === 'string' ? detail : detail.en)
    this.code = code
    this.said = typeof detail === 'string' ? undefined : detail
    this.errors = errors
  }

  get status(): number {
    return problems[this.code].status
  }
}

/** The language in which it can be told as a whole: no title in one and detail in another. */
export const tellableIn = ({ said }: Problem, language: keyof Said): keyof Said => (said ? language : 'en')

/** The body as RFC 9457 has it, in `language` where that can be. */
export function problemBody(problem: Problem, instance: string, language: keyof Said = 'en'): Record<string, unknown> {
  const { status, title, action } = problems[problem.code]
  const spoken = tellableIn(problem, language)
  return {
    type: `https://gemeentecloud.nl/problems/${problem.code}`,
    title: title[spoken],
    status,
    detail: problem.said?.[spoken] ?? problem.message,
    action: action[spoken],
    instance,
    ...(problem.errors && { errors: problem.errors }),
  }
}
