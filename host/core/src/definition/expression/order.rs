//! The order in which `map`, `filter`, `all`… go through an object. CEL keeps objects without any order, and would go
//! through the same one differently each time; the same expression must give the same value each time, also when a run
//! goes on after a crash. So every loop is made to go through an object's keys in their own order.
//!
//! Must not change what an expression means: lists stay as they are, and a loop over an object is one over its keys.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr};
use cel::objects::Key;

/// The function that puts keys in order. Nobody can write its name.
const FUNCTION: &str = "@ordered";

/// Makes every loop in a tree go through its range in order.
pub(super) fn ordered(tree: &mut IdedExpr) {
    match &mut tree.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| ordered(target));
            call.args.iter_mut().for_each(ordered);
        }
        Expr::Comprehension(inner) => {
            let inner = &mut **inner;
            let parts = [&mut inner.accu_init, &mut inner.loop_cond, &mut inner.loop_step, &mut inner.result];
            parts.into_iter().for_each(ordered);
            ordered(&mut inner.iter_range);
            let range = std::mem::take(&mut inner.iter_range);
            let id = range.id;
            let call = CallExpr { func_name: FUNCTION.to_owned(), target: None, args: vec![range] };
            inner.iter_range = IdedExpr { id, expr: Expr::Call(call) };
        }
        Expr::List(list) => list.elements.iter_mut().for_each(ordered),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| ordered_entry(&mut entry.expr)),
        Expr::Struct(value) => value.entries.iter_mut().for_each(|entry| ordered_entry(&mut entry.expr)),
        Expr::Select(select) => ordered(&mut select.operand),
    }
}

fn ordered_entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => ordered(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            ordered(&mut entry.key);
            ordered(&mut entry.value);
        }
    }
}

/// Gives a context the function that loops need.
pub(super) fn add_to(context: &mut cel::Context<'_, '_>) {
    // Refused only for names that CEL has itself, and this is none.
    let _ = context.add_function(FUNCTION, range);
}

/// An object's keys in order; anything else as it is.
fn range(value: cel::Value) -> cel::Value {
    match value {
        cel::Value::Map(map) => {
            let mut keys: Vec<Key> = map.map.keys().cloned().collect();
            keys.sort();
            cel::Value::from(keys.into_iter().map(cel::Value::from).collect::<Vec<_>>())
        }
        other => other,
    }
}
