/** Drills: that a hosting comes up elsewhere, tried on paper, beside what runs, or for real; when, and what came of it. */
import Type, { type Static } from 'typebox'
import { accepts, closed, Instant, id, oneOf } from './common.ts'
import { DatacenterId } from './datacenters.ts'
import { HostingId } from './hostings.ts'

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description })

const DrillPlanId = id('dpl')
const DrillId = id('drl')

export const DrillKind = oneOf(
  ['plan', 'shadow', 'live'],
  'plan: reckoned. shadow: started where it falls back to, beside what runs, and removed. live: brought there and back',
)
export type DrillKind = Static<typeof DrillKind>

/** Of one of them. */
const scope = {
  hostingId: Type.Optional(HostingId),
  datacenterId: Type.Optional(Type.Unsafe<string>({ ...DatacenterId, description: 'Each hosting that runs there' })),
}

const schedule = {
  cron: Type.String({
    minLength: 9,
    maxLength: 100,
    pattern: '^[0-9A-Za-z*,/ -]+$',
    description:
      'Five fields: minute, hour, day of the month, month, day of the week; both days have to be right. For example 0 22 1-7 * 2',
    ...accepts('five fields of cron: numbers or short names, with * , - and /, such as 0 22 1-7 * 2'),
  }),
  windowMinutes: Type.Integer({
    minimum: 1,
    maximum: 1_440,
    description: 'So long after it is due it may still begin, and it is to be over; afterwards it is skipped',
  }),
}

export const DrillPlanInput = Type.Object(
  {
    ...scope,
    kind: DrillKind,
    ...schedule,
    timeZone: Type.Optional(
      Type.String({
        maxLength: 50,
        pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$',
        description: 'Europe/Amsterdam when absent. A time that the clocks pass over is taken as much later',
        ...accepts('the name of a time zone, such as Europe/Amsterdam'),
      }),
    ),
    periodDays: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 3_660,
        description: 'A drill has to succeed at least this often; 365 when absent',
      }),
    ),
  },
  closed,
)
export type DrillPlanInput = Static<typeof DrillPlanInput>

export const DrillPlan = Type.Object(
  {
    id: DrillPlanId,
    ownerId: Type.String(),
    ...scope,
    hosting: Type.Optional(Type.String()),
    datacenter: Type.Optional(Type.String()),
    kind: DrillKind,
    ...schedule,
    timeZone: Type.String(),
    periodDays: Type.Integer(),
    nextAt: orNull(Instant, 'When the next is due'),
    last: orNull(
      Type.Object(
        {
          dueAt: Instant,
          outcome: oneOf(['begun', 'refused', 'skipped'], 'refused: it is tried again until its window is over'),
          drillId: orNull(DrillId),
          reason: orNull(Type.String()),
        },
        closed,
      ),
      'What became of the last that was due',
    ),
    createdBy: Type.String(),
    createdAt: Instant,
    updatedAt: Instant,
  },
  closed,
)
export type DrillPlan = Static<typeof DrillPlan>

export const DrillInput = Type.Object(
  {
    ...scope,
    kind: DrillKind,
    targetId: Type.Optional(
      Type.Unsafe<string>({
        ...DatacenterId,
        description: 'Where the hosting is to come up; where it falls back to when absent',
      }),
    ),
  },
  closed,
)
export type DrillInput = Static<typeof DrillInput>

const drillStates = ['running', 'aborting', 'passed', 'failed', 'aborted'] as const
export const DrillState = oneOf(drillStates, 'aborting: it was called off, and what it made is being removed')
export type DrillState = Static<typeof DrillState>

const drillSteps = [
  'reckoned',
  'claimed',
  'isolated',
  'started',
  'ready',
  'removed',
  'returned',
  'moved',
  'ready-there',
  'standing-by',
  'moved-back',
  'ready-back',
  'drilled',
  'done',
] as const

const DrillStep = Type.Object(
  {
    name: oneOf(drillSteps, 'In this order, those that its kind has'),
    startedAt: Instant,
    endedAt: orNull(Instant),
    note: orNull(Type.String()),
  },
  closed,
)
export type DrillStep = Static<typeof DrillStep>

const DrillFinding = Type.Object(
  {
    weight: oneOf(['fault', 'note'], 'With a fault it has not passed'),
    code: Type.String(),
    en: Type.String(),
    nl: Type.String(),
  },
  closed,
)
export type DrillFinding = Static<typeof DrillFinding>

const Sha256 = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the report, in hexadecimals',
  ...accepts('a SHA-256: 64 hexadecimals in lower case'),
})

const Signature = Type.Object({ by: Type.String(), at: Instant, statement: Type.String(), sha256: Sha256 }, closed)
export type Signature = Static<typeof Signature>

const DrillPart = Type.Object(
  {
    hostingId: HostingId,
    hosting: Type.String(),
    drillId: orNull(DrillId, 'Null while it has not begun'),
    state: oneOf(
      ['waiting', ...drillStates, 'not-drilled', 'left-out'],
      'waiting: for its turn. left-out: no drill of this kind says anything of it. Otherwise as its drill',
    ),
    why: orNull(Type.String(), 'It is not drilled'),
  },
  closed,
)
export type DrillPart = Static<typeof DrillPart>

export const Drill = Type.Object(
  {
    id: DrillId,
    ownerId: Type.String(),
    planId: orNull(DrillPlanId, 'Null when a person began it'),
    partOf: orNull(DrillId, 'The drill of a datacenter that it is one of'),
    parts: Type.Optional(
      Type.Array(DrillPart, {
        description: 'Of a whole datacenter, in their order; only where one drill is asked for',
      }),
    ),
    ...scope,
    hosting: Type.Optional(Type.String()),
    datacenter: Type.Optional(Type.String()),
    kind: DrillKind,
    state: DrillState,
    from: orNull(Type.String(), 'Where it ran when it began'),
    to: orNull(Type.String(), 'Where it is to come up'),
    steps: Type.Array(DrillStep),
    findings: Type.Array(DrillFinding),
    abortedBecause: orNull(Type.String()),
    startedBy: Type.String(),
    expiresAt: Type.Unsafe<string>({ ...Instant, description: 'What is not over by then has failed, and is removed' }),
    sha256: orNull(Sha256),
    signatures: Type.Array(Signature),
    createdAt: Instant,
    updatedAt: Instant,
  },
  closed,
)
export type Drill = Static<typeof Drill>

const Objective = Type.Object(
  {
    promisedSeconds: orNull(Type.Number(), 'Null where nothing was promised'),
    achievedSeconds: orNull(Type.Number(), 'Null where it was not measured'),
    kept: orNull(Type.Boolean()),
    how: Type.String({ description: 'What was measured' }),
  },
  closed,
)
export type Objective = Static<typeof Objective>

const Outlook = Type.Object(
  {
    hosting: Type.String(),
    falls: oneOf(
      ['back', 'elsewhere', 'nowhere'],
      'back: to its standby. elsewhere: it is placed anew, without a promise',
    ),
    to: orNull(Type.String()),
    why: orNull(Type.String(), 'What is short'),
    expectedSeconds: orNull(Type.Number(), 'Until it is ready, from what was measured before'),
    measured: Type.Integer({ description: 'How many times its start was measured' }),
  },
  closed,
)
export type Outlook = Static<typeof Outlook>

const ReportPart = Type.Object(
  {
    hostingId: HostingId,
    hosting: Type.String(),
    drillId: orNull(DrillId, 'Null when it was not drilled'),
    result: oneOf(
      ['passed', 'failed', 'aborted', 'not-drilled', 'left-out'],
      'As its drill. left-out: no drill of this kind says anything of it, which is no fault',
    ),
    why: orNull(Type.String(), 'It was not drilled, or was called off'),
    to: orNull(Type.String()),
    rto: orNull(Objective),
    rpo: orNull(Objective),
    findings: Type.Array(DrillFinding),
    sha256: orNull(Sha256),
  },
  closed,
)
export type ReportPart = Static<typeof ReportPart>

/** What is kept as evidence. */
export const DrillReport = Type.Object(
  {
    format: Type.Literal('gemeentecloud-drill-report/1'),
    drillId: DrillId,
    kind: DrillKind,
    result: oneOf(['passed', 'failed', 'aborted'], 'As the state of the drill'),
    subject: Type.Object(
      { kind: oneOf(['hosting', 'datacenter'], 'Of what'), id: Type.String(), name: Type.String() },
      closed,
    ),
    from: orNull(Type.String()),
    to: orNull(Type.String()),
    planId: orNull(DrillPlanId),
    partOf: Type.Optional(
      Type.Unsafe<string>({ ...DrillId, description: 'The drill of a datacenter that it is one of' }),
    ),
    startedBy: Type.String(),
    startedAt: Instant,
    endedAt: Instant,
    steps: Type.Array(DrillStep),
    rto: Objective,
    rpo: Objective,
    fencing: Type.Object(
      {
        level: orNull(Type.Integer()),
        declaredSeconds: orNull(Type.Number()),
        measuredSeconds: orNull(Type.Number(), 'The longest ever seen at the datacenter that is left'),
      },
      closed,
    ),
    operations: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          confirmedBy: Type.Array(Type.String()),
          steps: Type.Array(Type.Object({ name: Type.String(), at: Instant, note: orNull(Type.String()) }, closed)),
        },
        closed,
      ),
    ),
    outlook: Type.Array(Outlook, { description: 'Of a drill on paper: what becomes of each hosting there' }),
    parts: Type.Optional(
      Type.Array(ReportPart, {
        description: 'Of a whole datacenter: each hosting there, with the hash of its own report',
      }),
    ),
    findings: Type.Array(DrillFinding),
    abortedBecause: orNull(Type.String()),
    version: Type.String({ description: 'Of the software that held it' }),
  },
  closed,
)
export type DrillReport = Static<typeof DrillReport>

export const SignatureInput = Type.Object(
  {
    sha256: Type.Unsafe<string>({ ...Sha256, description: 'Of the report that was read' }),
    statement: Type.String({ minLength: 10, maxLength: 1_000 }),
  },
  closed,
)
export type SignatureInput = Static<typeof SignatureInput>
