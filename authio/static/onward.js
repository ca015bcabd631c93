// Carries a sign-in request on to the identity provider. Without script the page's button does it.
"use strict";
document.querySelector('form[data-form="onward"]')?.submit();
