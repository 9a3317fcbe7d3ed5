/** The door of the wire: how desk, sites, peers and guards send each other what the protocol says. */
export { type Channel, type ChannelOptions, createChannel, createLineReader, maxLineBytes } from './channel.ts'
export {
  lineOf,
  type Read,
  type Reader,
  readBetweenSites,
  readFromDesk,
  readFromSite,
  readGuardAnswer,
  readGuardAsk,
  readOfSite,
  type Unread,
} from './codec.ts'
export type { About, Hello } from './hello.ts'
export { acceptChannel, ChannelRefused, isChannelRequest, requestChannel } from './upgrade.ts'
