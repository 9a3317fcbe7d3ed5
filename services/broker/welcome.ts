/** What a browser sees at `/`: where things are. The pages for people come with the portal. */
import type { HttpServer } from '../shared/http/server.ts'

const page = `<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<title>gemeentecloud</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
</head>
<body>
<main>
<h1>gemeentecloud</h1>
<p>Het landelijk loket voor datacentercapaciteit van gemeenten. De API staat op
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
<p lang="en">The national desk for municipal datacenter capacity. The API is described at
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
</main>
</body>
</html>
`

export function welcomeRoute(app: HttpServer): void {
  app.get('/', { config: { action: 'public' }, schema: { hide: true } }, async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .serializer(String)
      .send(page as never),
  )
}
