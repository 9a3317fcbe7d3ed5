/** Pieces of route schemas that recur: parameters, headers, the problem answers of every operation. */
import Type, { type TObject, type TProperties } from 'typebox'
import { accepts, closed, PageQuery, ProblemBody } from '../../../schemas/index.ts'

export const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) }, closed)

/** A list's query: paging and the filters given. */
export const listQuery = <F extends TProperties>(filters: F): TObject<typeof PageQuery & F> =>
  Type.Object({ ...PageQuery, ...filters }, closed)

/** A filter of a list: one word, so that nothing gets to the store that no name could hold. */
export const FilterWord = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._:/+-]*$',
    description: 'One word of letters, digits and ._:/+-',
    ...accepts('one word of letters, digits and ._:/+-'),
  }),
)

/** No query parameter is known; an unknown one is refused. */
export const NoQuery = Type.Object({}, closed)

/** Headers are described for the document; unknown ones are everybody's business. */
export const ChangeHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'The same for every retry of one intention; required with POST', maxLength: 200 }),
  ),
})

export const problemAnswers = { '4xx': ProblemBody, '5xx': ProblemBody }
