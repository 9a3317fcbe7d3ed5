/** What a HostingRequest may say: the fields of a hosting in the API, less its name, which is that of the object. */
import Type, { type Static } from 'typebox'
import { closed, DnsLabel, HostingInput, Instant, SystemId } from '../../../schemas/index.ts'
import { createAjv, fieldErrors } from '../../shared/http/validation.ts'
import type { FieldError } from '../../shared/problem.ts'

const { name: _name, systemId: _systemId, period: _period, ...asked } = HostingInput.properties

export const HostingRequestSpec = Type.Object(
  {
    systemSlug: Type.Optional(
      Type.Unsafe<string>({ ...DnsLabel, description: 'The system that it is of, by its slug; or else systemId' }),
    ),
    systemId: Type.Optional(Type.Unsafe<string>({ ...SystemId, description: 'The system that it is of, by its id' })),
    ...asked,
    period: Type.Optional(
      Type.Object(
        { start: Instant, end: Type.Optional(Type.Union([Instant, Type.Null()], { description: 'Open when absent' })) },
        { ...closed, description: 'From now on when absent' },
      ),
    ),
  },
  { ...closed, description: 'What is asked of a datacenter; it is not changed afterwards' },
)
export type HostingRequestSpec = Static<typeof HostingRequestSpec>

const ajv = createAjv()
const validSpec = ajv.compile<HostingRequestSpec>(HostingRequestSpec)
const validName = ajv.compile<string>(DnsLabel)

export type ReadSpec =
  | { readonly ok: true; readonly spec: HostingRequestSpec }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

export function readSpec(value: unknown): ReadSpec {
  if (value === undefined) return { ok: false, errors: [{ pointer: '', message: 'is required' }] }
  if (!validSpec(value)) return { ok: false, errors: fieldErrors(validSpec.errors ?? [], 'body') }
  if (value.systemSlug === undefined && value.systemId === undefined)
    return { ok: false, errors: [{ pointer: '/systemSlug', message: 'is required, or else systemId' }] }
  return { ok: true, spec: value }
}

/** What is wrong with a name; nothing when it may be one. */
export function nameErrors(name: unknown): FieldError[] {
  return validName(name) ? [] : fieldErrors(validName.errors ?? [], 'body')
}

/** As the API takes it. */
export function inputOf(name: string, systemId: string, spec: HostingRequestSpec): HostingInput {
  const { systemSlug: _slug, systemId: _id, period, ...rest } = spec
  return { name, systemId, ...rest, ...(period && { period: { start: period.start, end: period.end ?? null } }) }
}

/** `/components/0/requests` → `.components[0].requests`, as Kubernetes names fields. */
export function fieldPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : /^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `[${part}]`))
    .join('')
}
