/** Reads of single things that are asked for at one moment are made as one. */

/** `read` gets the ids of one turn, each once. What it throws, every one of them throws. */
export function together<T>(
  read: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (id: string) => Promise<T | undefined> {
  let ids = new Set<string>()
  let answer: Promise<ReadonlyMap<string, T>> | undefined
  const readAll = async () => {
    // By the time this goes on, whoever was woken together with the first has asked as well.
    await Promise.resolve()
    const asked = [...ids]
    ids = new Set()
    answer = undefined
    return read(asked)
  }
  return async (id) => {
    ids.add(id)
    answer ??= readAll()
    return (await answer).get(id)
  }
}
