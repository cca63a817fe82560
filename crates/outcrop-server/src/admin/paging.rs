//! Lists, page by page.

use std::collections::HashMap;

use outcrop_store::{Page, PageOf, StoreError};
use outcrop_tenants::Status;
use outcrop_translate::Problem;
use serde_json::{Value, json};

use super::call::Answer;
use super::problems;

/// How many a page has unless it is said.
const DEFAULT_LIMIT: u32 = 100;
/// How many it may have.
const MAX_LIMIT: u32 = 1000;
/// How often the database is asked for one page, of which filters leave little.
const MAX_ROUNDS: usize = 50;

/// Which part of a list, and of what.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) limit: u32,
    after: Option<String>,
    filters: HashMap<String, String>,
}

impl Ask {
    /// Reads a query that may have `filters` besides `limit` and `after`.
    pub(super) fn read(query: &str, filters: &[&str]) -> Result<Self, Problem> {
        let mut ask = Self {
            limit: DEFAULT_LIMIT,
            after: None,
            filters: HashMap::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "limit" => {
                    ask.limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                        .ok_or_else(|| problems::invalid("limit", format!("must be from 1 to {MAX_LIMIT}")))?;
                }
                "after" if value.contains(char::is_control) => return Err(no_page()),
                "after" => ask.after = Some(value.into_owned()),
                known if filters.contains(&known) => {
                    ask.filters.insert(known.to_owned(), value.into_owned());
                }
                unknown => {
                    let shown: String = unknown.chars().take(64).collect();
                    return Err(problems::invalid(&shown, "is not a parameter of this list"));
                }
            }
        }
        ask.status()?;
        Ok(ask)
    }

    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        self.filters.get(name).map(String::as_str)
    }

    /// Which status is asked for.
    pub(super) fn status(&self) -> Result<Option<Status>, Problem> {
        match self.filter("status") {
            None => Ok(None),
            Some("active") => Ok(Some(Status::Active)),
            Some("disabled") => Ok(Some(Status::Disabled)),
            Some("deleted") => Ok(Some(Status::Deleted)),
            Some(_) => Err(problems::invalid(
                "status",
                "must be one of 'active', 'disabled', 'deleted'",
            )),
        }
    }

    /// Whether something with this name and status is asked for.
    pub(super) fn fits(&self, name: &str, status: Status) -> bool {
        let is_status = match self.status() {
            Ok(Some(asked)) => asked == status,
            _ => true,
        };
        is_status && self.filter("name").is_none_or(|asked| asked == name)
    }

    /// A page, of which some are kept. It may have fewer than were asked for though there are more: `next` says so.
    pub(super) async fn collect<T, F>(
        &self,
        fetch: impl Fn(Page) -> F,
        keep: impl Fn(&T) -> bool,
    ) -> Result<PageOf<T>, Problem>
    where
        F: Future<Output = Result<PageOf<T>, StoreError>>,
    {
        let mut items = Vec::new();
        let mut after = self.after.clone();
        for _ in 0..MAX_ROUNDS {
            let left = self.limit as usize - items.len();
            let page = Page {
                limit: u32::try_from(left).unwrap_or(MAX_LIMIT),
                after: after.take(),
                with_deleted: self.status()? == Some(Status::Deleted),
            };
            let part = fetch(page).await.map_err(problems::of_store)?;
            items.extend(part.items.into_iter().filter(&keep));
            after = part.next;
            if after.is_none() || items.len() >= self.limit as usize {
                break;
            }
        }
        Ok(PageOf { items, next: after })
    }

    /// A page of what is there already.
    pub(super) fn slice<T>(&self, all: Vec<T>) -> Result<PageOf<T>, Problem> {
        let start: usize = match &self.after {
            None => 0,
            Some(after) => after.parse().map_err(|_| no_page())?,
        };
        let end = start.saturating_add(self.limit as usize);
        let next = (end < all.len()).then(|| end.to_string());
        let items = all.into_iter().skip(start).take(self.limit as usize).collect();
        Ok(PageOf { items, next })
    }
}

fn no_page() -> Problem {
    problems::invalid("after", "is not the end of a page of this list")
}

/// All pages.
pub(super) async fn all<T, F>(fetch: impl Fn(Page) -> F) -> Result<Vec<T>, Problem>
where
    F: Future<Output = Result<PageOf<T>, StoreError>>,
{
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            limit: MAX_LIMIT,
            after,
            with_deleted: false,
        };
        let part = fetch(page).await.map_err(problems::of_store)?;
        items.extend(part.items);
        after = part.next;
        if after.is_none() {
            return Ok(items);
        }
    }
}

/// The answer to a list.
pub(super) fn list<T>(page: PageOf<T>, view: impl Fn(&T) -> Value) -> Answer {
    let data: Vec<Value> = page.items.iter().map(view).collect();
    json!({"object": "list", "data": data, "has_more": page.next.is_some(), "next": page.next}).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read() {
        let ask = Ask::read("limit=5&after=x&status=disabled&name=a", &["status", "name"]).unwrap();
        assert_eq!((ask.limit, ask.after.as_deref()), (5, Some("x")));
        assert!(ask.fits("a", Status::Disabled) && !ask.fits("a", Status::Active) && !ask.fits("b", Status::Disabled));
        for (query, param) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("status=on", "status"),
            ("other=1", "other"),
            ("after=%00", "after"),
        ] {
            let problem = Ask::read(query, &["status"]).unwrap_err();
            assert_eq!(problem.param.as_deref(), Some(param), "{query}");
        }
    }

    #[test]
    fn what_is_there_is_sliced() {
        let ask = |query: &str| Ask::read(query, &[]).unwrap();
        let page = ask("limit=2").slice(vec![1, 2, 3]).unwrap();
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        let page = ask("limit=2&after=2").slice(vec![1, 2, 3]).unwrap();
        assert_eq!((page.items, page.next), (vec![3], None));
        assert!(
            ask("after=18446744073709551615")
                .slice(vec![1])
                .unwrap()
                .items
                .is_empty()
        );
        assert!(ask("after=x").slice(vec![1]).is_err());
    }

    #[tokio::test]
    async fn a_page_is_filled_though_few_fit() {
        let ask = Ask::read("limit=2", &[]).unwrap();
        let fetch = |page: Page| async move {
            let start: u32 = page.after.map_or(0, |after| after.parse().unwrap());
            let end = (start + page.limit).min(9);
            Ok(PageOf {
                items: (start..end).collect(),
                next: (end < 9).then(|| end.to_string()),
            })
        };
        let page = ask
            .collect(fetch, |number: &u32| number.is_multiple_of(4))
            .await
            .unwrap();
        assert_eq!(page.items, [0, 4]);
        assert_eq!(page.next.as_deref(), Some("5"));
        assert_eq!(all(fetch).await.unwrap().len(), 9);
    }
}
