/** The page of the documentation: nothing in it comes from elsewhere, and it has no script of its own. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kennel API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** What starts it. The validator and the query in the address, which could name another document, are off. */
export const START = `window.addEventListener('load', () => {
  window.SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#api',
    deepLinking: false,
    queryConfigEnabled: false,
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: true,
  });
});
`;

/** Scripts, styles and data of this service alone. Swagger UI has its icons in data: links. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
