//! What of a line must not leave the host: peers' addresses, and all that is a wallet's.
//!
//! Both are judged by the text alone, and on the safe side: what looks like an address is one, and a line that speaks of a wallet
//! is a wallet's. Wallets put their names in brackets before a message (`CWallet::WalletLogPrintf`, `src/wallet/wallet.h@v30`),
//! where a name may imitate a category.

mod address;
mod wallet;

pub use self::{
    address::{Address, AddressKind, addresses},
    wallet::is_wallets,
};
