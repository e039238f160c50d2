// SPDX-License-Identifier: Apache-2.0
// The authorization server that the tests log in to.
export { Provider } from "oidc-provider";
