//! Every VMM through the real daemon and its public API: what a guest lives through, what a jail shows,
//! what changes while it runs, what is kept.
//!
//! ```text
//!  house   a weft with one driver, the small guest and what a test asks of both
//!  life · jail · live · kept · inside · losses · hung · fields   each for Firecracker, Cloud Hypervisor and QEMU
//! ```
//!
//! Firecracker and Cloud Hypervisor are the real ones where they are found, else what stands in for them;
//! the first line of each test's output says which.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod fields;
mod house;
mod hung;
mod inside;
mod jail;
mod kept;
mod life;
mod live;
mod losses;

/// The same tests for each VMM.
macro_rules! for_each_vmm {
    ($($test:ident),* $(,)?) => {
        for_each_vmm!(@ firecracker Firecracker $($test)*);
        for_each_vmm!(@ cloud_hypervisor CloudHypervisor $($test)*);
        for_each_vmm!(@ qemu Qemu $($test)*);
    };
    (@ $module:ident $vmm:ident $($test:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test(crate::house::Vmm::$vmm).await;
                }
            )*
        }
    };
}
pub(crate) use for_each_vmm;
