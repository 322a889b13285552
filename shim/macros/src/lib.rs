//! `#[keylane::function]`: leaves the function as it is, and adds the symbol that is called.
//!
//! Reads tokens and needs no parser: it looks for the name after `fn` and for its parameters, and
//! leaves everything else, types above all, for the compiler to judge.

#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, Literal, TokenStream, TokenTree};

/// The symbol where the attribute names none.
const DEFAULT_SYMBOL: &str = "keylane_function";

/// What is wrong with the use of the attribute, for the compiler to show.
struct Misuse(String);

/// Makes a function the one that Keylane calls.
///
/// The function takes an event (anything that `serde` can read, or `keylane::RawJson`) and a
/// `&keylane::Context`, and returns a `Result<R, keylane::Error>` (of anything that `serde` can
/// write, or `keylane::RawJson`). `#[keylane::function(export = "name")]` exports it as `name`, which
/// a project calls as `handler = "libfile.so:name"`; so one object can hold several.
#[proc_macro_attribute]
pub fn function(attribute: TokenStream, item: TokenStream) -> TokenStream {
    match expand(attribute, &item) {
        Ok(added) => [item, added].into_iter().collect(),
        Err(Misuse(message)) => {
            let told = format!("::core::compile_error!({});", Literal::string(&message));
            [item, told.parse().unwrap_or_default()]
                .into_iter()
                .collect()
        }
    }
}

fn expand(attribute: TokenStream, item: &TokenStream) -> Result<TokenStream, Misuse> {
    let symbol = symbol(attribute)?;
    let (name, parameters) = signature(item.clone())?;
    if count(&parameters) != 2 {
        return Err(Misuse(format!(
            "{name} must take two parameters: the event and `&keylane::Context`"
        )));
    }
    // The version's symbol comes from the SDK, once however many functions there are.
    format!(
        "const _: () = {{
            #[allow(unsafe_code, reason = \"the entry of a native function\")]
            #[unsafe(export_name = {symbol})]
            unsafe extern \"C\" fn entry(
                context: *const ::keylane::entry::Context,
                event: *mut ::core::ffi::c_char,
                length: usize,
                response: *mut ::keylane::entry::Response,
            ) -> ::core::ffi::c_int {{
                // SAFETY: the caller's word, which is passed on as it is.
                unsafe {{ ::keylane::entry::answer({name}, context, event, length, response) }}
            }}
        }};",
        symbol = Literal::string(&symbol),
    )
    .parse()
    .map_err(|fault| Misuse(format!("the entry of {name} cannot be made: {fault}")))
}

/// The symbol to export, from `export = "name"` or nothing.
fn symbol(attribute: TokenStream) -> Result<String, Misuse> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let misuse = || {
        Misuse("write `#[keylane::function]` or `#[keylane::function(export = \"name\")]`".into())
    };
    match tokens.as_slice() {
        [] => Ok(DEFAULT_SYMBOL.to_owned()),
        [
            TokenTree::Ident(key),
            TokenTree::Punct(equals),
            TokenTree::Literal(value),
        ] if key.to_string() == "export" && equals.as_char() == '=' => {
            let text = value.to_string();
            let name = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            let is_symbol = |name: &&str| {
                let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
                !name.is_empty()
                    && name.chars().all(good)
                    && !name.starts_with(|c: char| c.is_ascii_digit())
            };
            name.filter(is_symbol)
                .map(str::to_owned)
                .ok_or_else(|| Misuse(format!("{text} is no symbol: use letters, digits and `_`")))
        }
        _ => Err(misuse()),
    }
}

/// The function's name and its parameters in parentheses.
fn signature(item: TokenStream) -> Result<(String, Group), Misuse> {
    let mut tokens = item.into_iter();
    let mut before = None;
    for token in tokens.by_ref() {
        if let TokenTree::Ident(word) = &token {
            let word = word.to_string();
            if word == "fn" {
                break;
            }
            before = Some(word);
        }
    }
    if before.as_deref() == Some("async") {
        return Err(Misuse(
            "a handler returns its result: it cannot be `async`".into(),
        ));
    }
    let (Some(TokenTree::Ident(name)), Some(next)) = (tokens.next(), tokens.next()) else {
        return Err(Misuse(
            "#[keylane::function] stands before a function".into(),
        ));
    };
    match next {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            Ok((name.to_string(), group))
        }
        _ => Err(Misuse(format!(
            "{name} cannot be generic: Keylane would not know for what"
        ))),
    }
}

/// How many parameters there are: commas at the outermost level part them. A `<` or `>` in a type
/// is a level of its own, but not the one of `->`.
fn count(parameters: &Group) -> usize {
    let (mut found, mut inside, mut depth, mut last) = (0, false, 0_i32, ' ');
    for token in parameters.stream() {
        let c = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => ' ',
        };
        match c {
            '<' => depth = depth.saturating_add(1),
            '>' if last != '-' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found += usize::from(inside);
                inside = false;
                last = c;
                continue;
            }
            _ => {}
        }
        inside = true;
        last = c;
    }
    found + usize::from(inside)
}
