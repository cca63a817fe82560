//! The HTTP server: routes, access, the exchange of one request, errors as clients see them.
