//! The OpenAPI page, made from the table of routes.

use serde_json::{Map, Value, json};

use super::routes::{ROUTES, Route};
use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

/// `GET /api/v1/openapi.json`.
pub(super) async fn openapi(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    Ok(ApiReply::ok(document(&ask.app.config().public_url)))
}

fn document(public_url: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "salus administration", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": public_url}],
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "paths": paths,
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .params
        .iter()
        .map(|p| json!({"name": p.name, "in": "query", "description": p.about, "schema": {"type": p.ty}}))
        .collect();
    let open = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in open {
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    }
    let mut operation = json!({
        "summary": route.about,
        "parameters": parameters,
        "responses": {
            "default": {"description": "An error", "content": {"application/problem+json": {}}},
            "2XX": {"description": "The answer"},
        },
    });
    if route.takes_body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {}}});
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let document = document("http://h");
        for route in ROUTES {
            let method = route.method.as_str().to_ascii_lowercase();
            assert!(document["paths"][route.path][method]["summary"].is_string(), "{}", route.path);
        }
    }
}
