/** Where the desk speaks to this site: of all channels that were opened, the newest of the latest desk. */
import type { Duplex } from 'node:stream'
import type { FromDesk, FromSite } from '../../fallback/index.ts'
import {
  type About,
  acceptChannel,
  type Channel,
  createChannel,
  type Hello,
  readFromDesk,
  type Unread,
} from '../../fallback/wire/index.ts'
import type { Logger } from '../../shared/log.ts'

type Out = FromSite | About

export interface DeskChannelOptions {
  /** False when this is no desk for us: its channel is closed. */
  readonly met: (hello: Hello) => boolean
  readonly heard: (message: FromDesk) => void
  readonly unread: (why: Unread) => void
  /** Said to each desk that is listened to, and whenever it is asked for. */
  readonly about: () => About
  readonly log: Logger
}

export interface DeskChannel {
  /** Takes a pipe whose other end has asked for a channel. */
  accept(pipe: Duplex, first: Buffer): void
  /** Lost when no desk listens. */
  send(message: FromSite): void
  tellAbout(): void
  /** No desk of an earlier term is listened to from here on. */
  raise(term: number): void
  close(): void
}

export function createDeskChannel({ met, heard, unread, about, log }: DeskChannelOptions): DeskChannel {
  let term = 0
  let current: Channel<Out> | undefined
  const open = new Set<Channel<Out>>()
  const meet = (channel: Channel<Out>, hello: Hello) => {
    const before = current
    if (hello.term >= term) current = channel
    if (hello.term < term || !met(hello)) {
      current = before
      log.warn({ term: hello.term, latest: term, datacenter: hello.datacenter }, 'a desk was not listened to')
      return channel.close()
    }
    term = hello.term
    if (before !== channel) before?.close()
    channel.send(about())
  }
  return {
    accept(pipe, first) {
      acceptChannel(pipe)
      const channel: Channel<Out> = createChannel<FromDesk | Hello, Out>(pipe, {
        read: readFromDesk,
        heard: (message) => {
          if (message.kind === 'hello') meet(channel, message)
          else if (channel === current) heard(message)
        },
        unread,
        closed: () => {
          open.delete(channel)
          if (current === channel) current = undefined
        },
      })
      open.add(channel)
      // After the channel has its name.
      if (first.length > 0) pipe.unshift(first)
    },
    send: (message) => void current?.send(message),
    tellAbout: () => void current?.send(about()),
    raise: (latest) => {
      term = Math.max(term, latest)
    },
    close: () => {
      for (const channel of open) channel.close()
    },
  }
}
