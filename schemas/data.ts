/** The data of a hosting as it is declared, and how far data and objects are at a standby. */
import Type, { type Static } from 'typebox'
import { accepts, closed, DnsLabel, Instant } from './common.ts'

const Cron = (usual: string) =>
  Type.String({
    pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$',
    maxLength: 60,
    description: `Five fields as of cron, each a number, * or */n; ${usual} when absent`,
    ...accepts('five fields as of cron, each a number, * or */n, such as 0 */6 * * *'),
  })

/** One thing that holds data, and what brings it to the other site. */
export const DataInput = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('cnpg'),
      name: Type.String({ ...DnsLabel, description: 'A Cluster of CloudNativePG that archives to an object store' }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('volsync'),
      name: Type.String({ ...DnsLabel, description: 'A PersistentVolumeClaim' }),
      repository: Type.String({
        ...DnsLabel,
        description: 'The Secret with its restic repository, of this claim alone',
      }),
      schedule: Type.Optional(Cron('*/15 * * * *')),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('velero'),
      name: Type.String({
        ...DnsLabel,
        description:
          'The BackupStorageLocation of Velero that both datacenters have; all volumes of the hosting are copied to it',
      }),
      schedule: Type.Optional(Cron('0 * * * *')),
    },
    closed,
  ),
])
export type DataInput = Static<typeof DataInput>

export const DataInputs = Type.Array(DataInput, {
  maxItems: 32,
  description:
    'What holds data and has to come along; empty: nothing does. Absent: what holds data is told, and not brought',
})

const DataState = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('cnpg'),
      Type.Literal('volsync'),
      Type.Literal('velero'),
      Type.Literal('undeclared'),
    ]),
    name: Type.String(),
    goodAt: Type.Union([Instant, Type.Null()], {
      description: 'Of the last copy that can be brought back; null: none is known',
    }),
    problem: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
)

const Difference = Type.Object(
  {
    kind: Type.String(),
    name: Type.String(),
    what: Type.Union([
      Type.Literal('missing'),
      Type.Literal('differs'),
      Type.Literal('only-there'),
      Type.Literal('refused'),
      Type.Literal('unknown-there'),
    ]),
    reason: Type.Optional(Type.String()),
  },
  closed,
)

/** How far what a tenant applied, and its data, are at another site than the one where it runs. */
export const MirrorState = Type.Object(
  {
    syncedAt: Type.Union([Instant, Type.Null()], { description: 'When it last lacked nothing; null: never yet' }),
    behindSince: Type.Union([Instant, Type.Null()], {
      description: 'Since when it lacks something; null: it lacks nothing',
    }),
    objects: Type.Union([Type.Integer(), Type.Null()]),
    problem: Type.Union([Type.String(), Type.Null()]),
    differences: Type.Array(Difference, { description: 'What is not the same, at most fifty' }),
    data: Type.Array(DataState),
  },
  closed,
)
export type MirrorState = Static<typeof MirrorState>
