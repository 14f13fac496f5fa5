// SPDX-License-Identifier: Apache-2.0
// Append a block of 1 KiB until the replica, joined over TCP on loopback, has stored it. Arguments: folder, count.
import Hypercore from 'hypercore'
import net from 'net'

const [folder, count] = [process.argv[2], Number(process.argv[3])]
const source = new Hypercore(folder + '/source')
await source.ready()
const replica = new Hypercore(folder + '/replica', source.key)
await replica.ready()
const server = net.createServer((socket) => {
  socket.setNoDelay(true)
  const stream = source.replicate(false)
  socket.pipe(stream).pipe(socket)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const socket = net.connect(server.address().port, '127.0.0.1')
socket.setNoDelay(true)
const stream = replica.replicate(true)
socket.pipe(stream).pipe(socket)

const block = Buffer.alloc(1024, 7)
const taken = []
for (let index = 0; index < count; index++) {
  const begun = process.hrtime.bigint()
  await source.append(block)
  await replica.get(index)
  taken.push(Number(process.hrtime.bigint() - begun) / 1e9)
}
console.log(JSON.stringify(taken))
process.exit(0)
