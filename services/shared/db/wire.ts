/** The socket to PostgreSQL: what is sent in one turn of the event loop leaves in one write, however many statements it is. */
import { Socket } from 'node:net'

/** The driver corks around each statement; letting go only when the turn is over makes one system call of them all. */
export class Wire extends Socket {
  override uncork(): void {
    process.nextTick(() => super.uncork())
  }
}
