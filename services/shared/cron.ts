/** When something recurs: a cron expression of five fields in a time zone, and the next instant after another. */
import { parse } from 'node-cron'

export interface Recurrence {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly daysOfMonth: readonly number[]
  readonly months: readonly number[]
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[]
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** A leap day on a given day of the week comes within forty years; what does not come by then never does. */
const daysLookedAhead = 40 * 366

/** Undefined for what is none, has a field of seconds, or names days in a way that only some crons know (`L`, `5#2`). */
export function parseCron(expression: string): Recurrence | undefined {
  if (expression.trim().split(/\s+/).length !== 5) return undefined
  try {
    const { minute: minutes, hour: hours, month: months, ...days } = parse(expression)
    const daysOfMonth = days.dayOfMonth.filter((day) => typeof day === 'number')
    const daysOfWeek = days.dayOfWeek.filter((day) => typeof day === 'number')
    const isPlain = daysOfMonth.length === days.dayOfMonth.length && daysOfWeek.length === days.dayOfWeek.length
    return isPlain ? { minutes, hours, daysOfMonth, months, daysOfWeek } : undefined
  } catch {
    return undefined
  }
}

/** Whether the machine knows the zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

/**
 * The first instant after `afterMs`; undefined when there is none. A day has to be right both of the month and of the week. An
 * hour that the clocks pass over in spring is taken as long after the change as it would have been; one that comes twice in
 * autumn is taken the first time.
 */
export function nextAfter(recurrence: Recurrence, timeZone: string, afterMs: number): number | undefined {
  const { months, daysOfMonth, daysOfWeek, hours, minutes } = recurrence
  const localMs = localClock(timeZone)
  const firstDay = Math.floor((afterMs + localMs(afterMs)) / dayMs)
  for (let day = firstDay; day < firstDay + daysLookedAhead; day++) {
    const date = new Date(day * dayMs)
    const isDue =
      months.includes(date.getUTCMonth() + 1) &&
      daysOfMonth.includes(date.getUTCDate()) &&
      daysOfWeek.includes(date.getUTCDay())
    if (!isDue) continue
    let first: number | undefined
    for (const hour of hours) {
      for (const minute of minutes) {
        const instant = instantOf(day * dayMs + (hour * 60 + minute) * minuteMs, localMs)
        if (instant > afterMs && (first === undefined || instant < first)) first = instant
      }
    }
    if (first !== undefined) return first
  }
  return undefined
}

type LocalClock = (instantMs: number) => number

/** How far the clocks of a zone are ahead of UTC at an instant. */
function localClock(timeZone: string): LocalClock {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instantMs) => {
    const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000
  }
}

/** Of a local time, written as if it were UTC. */
function instantOf(wallMs: number, aheadMs: LocalClock): number {
  const before = wallMs - aheadMs(wallMs - dayMs)
  const after = wallMs - aheadMs(wallMs + dayMs)
  const isRight = (instant: number) => instant + aheadMs(instant) === wallMs
  const right = [before, after].filter(isRight)
  return right.length > 0 ? Math.min(...right) : before
}
