//! ledger import
