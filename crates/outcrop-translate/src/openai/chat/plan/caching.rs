//! Cache points: those that clients ask for, and those that are placed because clients expect caching to happen by
//! itself.

use outcrop_bedrock::converse::{
    CacheTtl, ContentBlock, ConverseRequest, DocumentFormat, Role, SystemBlock, Tool, ToolResultBlock,
};

use super::super::request::{CachedParts, Caching};
use crate::catalogue::{CacheRules, MAX_CACHE_POINTS, Traits};
use crate::notes::Notes;
use crate::policy::PromptCaching;

/// A token is some four characters of English and three of JSON. The larger number keeps points off prefixes that are
/// too short for sure.
const CHARS_PER_TOKEN: u64 = 4;

/// Settles where cache points stand: the client's own if it marked any, else, where that is wanted, ours.
pub(super) fn settle(
    converse: &mut ConverseRequest<'_>,
    caching: Caching,
    policy: PromptCaching,
    traits: &Traits,
    notes: &mut Notes,
) {
    let marked = count(converse);
    let mode = match (policy, caching.mode) {
        (PromptCaching::Off, _) | (_, Some(PromptCaching::Off)) => PromptCaching::Off,
        (_, Some(asked)) => asked,
        (PromptCaching::Explicit, None) if caching.is_expected || caching.parts.is_some() => PromptCaching::Auto,
        (policy, None) => policy,
    };
    if marked > 0 {
        let reason = match traits.cache {
            _ if mode == PromptCaching::Off => Some("caching-is-off"),
            None => Some("unsupported-by-model"),
            Some(_) => None,
        };
        if let Some(reason) = reason {
            remove_all(converse);
            notes.lose("cache_control", "dropped", reason);
            return;
        }
    }
    let Some(rules) = traits.cache else { return };
    if marked == 0 {
        if mode == PromptCaching::Auto && !caching.is_explicit {
            place(converse, caching, rules);
        }
        return;
    }
    if caching.ttl == CacheTtl::OneHour {
        // OpenAI's breakpoints say how long once for all.
        for_each_point(converse, |ttl| {
            if *ttl == CacheTtl::Default {
                *ttl = CacheTtl::OneHour;
            }
        });
    }
    fit(converse, rules, notes);
}

/// The model's own limits on points that the client has marked.
fn fit(converse: &mut ConverseRequest<'_>, rules: CacheRules, notes: &mut Notes) {
    if !rules.tools
        && let Some(config) = &mut converse.tool_config
    {
        let before = config.tools.len();
        config.tools.retain(|tool| !matches!(tool, Tool::CachePoint(_)));
        if config.tools.len() < before {
            notes.lose("tools.cache_control", "dropped", "unsupported-by-model");
        }
    }
    let mut misplaced = false;
    for message in &mut converse.messages {
        let mut bears = false;
        message.content.retain(|block| {
            if matches!(block, ContentBlock::CachePoint(_)) {
                misplaced |= !bears;
                return bears;
            }
            bears = bears_point(block, rules);
            true
        });
    }
    if misplaced {
        notes.lose("cache_control", "dropped", "place-bears-none");
    }
    let mut surplus = count(converse).saturating_sub(MAX_CACHE_POINTS);
    if surplus > 0 {
        // A later point covers what an earlier one does.
        notes.lose("cache_control", "shortened", "at-most-4-points");
        remove_while(converse, || {
            surplus = surplus.saturating_sub(1);
            surplus > 0
        });
    }
    if !rules.one_hour {
        let mut shortened = false;
        for_each_point(converse, |ttl| {
            if *ttl == CacheTtl::OneHour {
                *ttl = CacheTtl::Default;
                shortened = true;
            }
        });
        if shortened {
            notes.lose("cache_control.ttl", "5m", "longest-of-model");
        }
    }
    let (mut has_short, mut shortened) = (false, false);
    for_each_point(converse, |ttl| {
        if *ttl != CacheTtl::OneHour {
            has_short = true;
        } else if has_short {
            *ttl = CacheTtl::Default;
            shortened = true;
        }
    });
    if shortened {
        notes.lose("cache_control.ttl", "5m", "behind-a-shorter-one");
    }
}

/// Whether a cache point may stand right behind a block of a message (users' reports of what Bedrock refuses, collected
/// 2026-11).
fn bears_point(block: &ContentBlock<'_>, rules: CacheRules) -> bool {
    match block {
        ContentBlock::ToolUse(_) | ContentBlock::ToolResult(_) => rules.tools,
        ContentBlock::Document(document) => document.format == DocumentFormat::Pdf,
        ContentBlock::Reasoning(_) | ContentBlock::CachePoint(_) => false,
        _ => true,
    }
}

/// Places points at the borders that stay the same from one request of a conversation to the next: behind the tools,
/// behind the system prompt, and behind the last two turns of the user's, so that each request finds what the one
/// before it has written.
fn place(converse: &mut ConverseRequest<'_>, caching: Caching, rules: CacheRules) {
    let parts = caching.parts.unwrap_or(CachedParts {
        system: true,
        messages: true,
    });
    let ttl = match caching.ttl {
        CacheTtl::OneHour if !rules.one_hour => CacheTtl::Default,
        ttl => ttl,
    };
    let is_enough = |chars: usize| chars as u64 / CHARS_PER_TOKEN >= rules.least_tokens;
    let mut chars = 0;
    if let Some(config) = &mut converse.tool_config {
        chars += config.tools.iter().map(tool_chars).sum::<usize>();
        if rules.tools && parts.system && is_enough(chars) {
            config.tools.push(Tool::CachePoint(ttl));
        }
    }
    let system_chars: usize = converse.system.iter().map(system_chars).sum();
    chars += system_chars;
    if parts.system && system_chars > 0 && is_enough(chars) {
        converse.system.push(SystemBlock::CachePoint(ttl));
    }
    if !parts.messages {
        return;
    }
    let mut ends = Vec::new();
    for (index, message) in converse.messages.iter().enumerate() {
        chars += message.content.iter().map(content_chars).sum::<usize>();
        if message.role == Role::User && is_enough(chars) {
            ends.push(index);
        }
    }
    for index in ends.into_iter().rev().take(2) {
        let Some(message) = converse.messages.get_mut(index) else {
            continue;
        };
        if let Some(last) = message.content.iter().rposition(|block| bears_point(block, rules)) {
            message.content.insert(last + 1, ContentBlock::CachePoint(ttl));
        }
    }
}

fn tool_chars(tool: &Tool<'_>) -> usize {
    match tool {
        Tool::Spec(spec) => {
            let description = spec.description.as_ref().map_or(0, |text| text.inner().len());
            spec.name.inner().len() + description + spec.input_schema.as_str().len()
        }
        Tool::CachePoint(_) => 0,
    }
}

fn system_chars(block: &SystemBlock<'_>) -> usize {
    match block {
        SystemBlock::Text(text) | SystemBlock::GuardText(text) => text.inner().len(),
        SystemBlock::CachePoint(_) => 0,
    }
}

/// The length of what is text in a block; how many tokens an image has depends on its size in pixels.
fn content_chars(block: &ContentBlock<'_>) -> usize {
    match block {
        ContentBlock::Text(text) | ContentBlock::GuardText(text) => text.inner().len(),
        ContentBlock::ToolUse(tool_use) => tool_use.input.as_str().len(),
        ContentBlock::ToolResult(result) => {
            let text = |block: &ToolResultBlock<'_>| match block {
                ToolResultBlock::Text(text) => text.inner().len(),
                _ => 0,
            };
            result.content.iter().map(text).sum()
        }
        _ => 0,
    }
}

/// Whether there are any.
pub(super) fn has_points(converse: &ConverseRequest<'_>) -> bool {
    let tools = converse.tool_config.iter().flat_map(|config| &config.tools);
    let content = converse.messages.iter().flat_map(|message| &message.content);
    tools.into_iter().any(|tool| matches!(tool, Tool::CachePoint(_)))
        || converse
            .system
            .iter()
            .any(|block| matches!(block, SystemBlock::CachePoint(_)))
        || content
            .into_iter()
            .any(|block| matches!(block, ContentBlock::CachePoint(_)))
}

fn count(converse: &mut ConverseRequest<'_>) -> usize {
    let mut points = 0;
    for_each_point(converse, |_| points += 1);
    points
}

fn for_each_point(converse: &mut ConverseRequest<'_>, mut visit: impl FnMut(&mut CacheTtl)) {
    for tool in converse.tool_config.iter_mut().flat_map(|config| &mut config.tools) {
        if let Tool::CachePoint(ttl) = tool {
            visit(ttl);
        }
    }
    for block in &mut converse.system {
        if let SystemBlock::CachePoint(ttl) = block {
            visit(ttl);
        }
    }
    for block in converse.messages.iter_mut().flat_map(|message| &mut message.content) {
        if let ContentBlock::CachePoint(ttl) = block {
            visit(ttl);
        }
    }
}

fn remove_all(converse: &mut ConverseRequest<'_>) {
    remove_while(converse, || true);
}

/// Removes points, from the first on, as long as `goes_on` says so after each.
fn remove_while(converse: &mut ConverseRequest<'_>, mut goes_on: impl FnMut() -> bool) {
    let mut removes = true;
    let mut keep = |is_point: bool| {
        if !is_point || !removes {
            return true;
        }
        removes = goes_on();
        false
    };
    if let Some(config) = &mut converse.tool_config {
        config.tools.retain(|tool| keep(matches!(tool, Tool::CachePoint(_))));
    }
    converse
        .system
        .retain(|block| keep(matches!(block, SystemBlock::CachePoint(_))));
    for message in &mut converse.messages {
        message
            .content
            .retain(|block| keep(matches!(block, ContentBlock::CachePoint(_))));
    }
}
